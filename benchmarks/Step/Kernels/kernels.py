"""Where the time of an optimizer step goes, by kernel, from what record.c has written of one run of benchmarks/Step with one case, shape and method.

usage: kernels.py KERNELS.tsv [--rows N]

A step ends with AdamW's kernel. The last steps but two are summed: microseconds a step, how many times a kernel ran, microseconds each, registers a thread. Needs nothing but the standard library.
"""
import argparse, collections, re

STEPS = 6


def read(path):
    """(start, end, registers, name) of every kernel, in order."""
    with open(path) as file:
        fields = (line.rstrip("\n").split("\t", 3) for line in file)
        return sorted((int(start), int(end), int(registers), name) for start, end, registers, name in fields)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("kernels")
    options.add_argument("--rows", type=int, default=40)
    asked = options.parse_args()
    all_kernels = read(asked.kernels)
    ends = [i + 1 for i, kernel in enumerate(all_kernels) if re.search("adam", kernel[3], re.IGNORECASE)]
    steps = [all_kernels[first:last] for first, last in zip(ends, ends[1:])][-STEPS - 2:-2]
    if not steps:
        raise SystemExit(f"{asked.kernels}: {len(all_kernels)} kernels, {len(ends)} of them AdamW's: no whole step")
    time, count, registers = collections.Counter(), collections.Counter(), {}
    for start, end, used, name in (kernel for step in steps for kernel in step):
        time[name] += end - start
        count[name] += 1
        registers[name] = used
    whole = sum(step[-1][1] - step[0][0] for step in steps)
    print(f"{len(steps)} steps: {whole / len(steps) / 1e3:.0f} us each, {sum(time.values()) / len(steps) / 1e3:.0f} of them in {sum(count.values()) / len(steps):.0f} kernels")
    for name, total in time.most_common(asked.rows):
        print(f"{total / len(steps) / 1e3:9.1f} us {count[name] / len(steps):7.1f} x {total / count[name] / 1e3:8.2f} {registers[name]:4d} {name[:100]}")


if __name__ == "__main__":
    main()
