"""Whole optimizer steps of this library beside the peer's, on one GPU: a ratio table in markdown.

usage: compare.py --peer /path/hf_peer.py [--compile] [--ours "COMMAND"] [--case NAME ...] [--steps N] [--peer-steps N] [--eager] [--out LINES.jsonl]
       compare.py --compare LINES.jsonl ...     the peer's lines from an earlier run in place of running it

Case by case both run, one after the other, so that their figures are from the same minutes of the same card. Every JSON line they print goes to --out as it comes.
Where one of the two fails on a case, the other's figures stay, and the failure is named under the table. Needs nothing but the standard library.
"""
import argparse, datetime, json, pathlib, shlex, subprocess, sys, time

CASES = ["qwen2.5-1.5b", "opt-1.3b", "qwen2.5-vl-3b"]
METHODS = ["adamw", "sam", "flatpo"]
OURS = "flatpo.recipes"


def lines_of(text):
    """The JSON objects among a program's lines."""
    found = []
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
    return found


def run(what, command, limit, failures):
    """The lines a command printed; why it failed goes to failures."""
    print(f"# {what}: {shlex.join(command)}", file=sys.stderr, flush=True)
    start = time.time()
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", timeout=limit)
        output, errors, why = done.stdout, done.stderr, f"exit code {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired as late:
        output, errors = ((part or b"").decode(errors="replace") if not isinstance(part, str) else part for part in (late.stdout, late.stderr))
        why = f"longer than {limit} s"
    except OSError as error:
        output, errors, why = "", "", str(error)
    found = lines_of(output)
    if not why and not found:
        why = "no line of figures"
    print(f"# {what}: {len(found)} lines in {time.time() - start:.0f} s{', ' + why if why else ''}", file=sys.stderr, flush=True)
    if why:
        last = [line for line in (errors + "\n" + output).splitlines() if line.strip() and not line.startswith("{")][-3:]
        failures.append(f"{what}: {why}. {' / '.join(last)}"[:600])
    return found


def peer_name(line):
    return line["peer"] + (" compiled" if line.get("compiled") else "")


def key(line):
    return line["case"], line["rows"], line["tokens"]


def figure(line, method, field):
    """A number, or None where there is none."""
    value = line.get(method) if line else None
    return value.get(field) if isinstance(value, dict) else None


def shown(line, method, field, form="{:.1f}"):
    value = line.get(method) if line else None
    if isinstance(value, dict):
        return form.format(value[field]) if value.get(field) is not None else "–"
    return value if value and field == "ms" else "–"  # "out of memory" stands where the time would


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if ours and theirs else "–"


def table(lines):
    """A row a case, shape, method and peer."""
    ours = {key(line): line for line in lines if line["peer"] == OURS}
    theirs = [line for line in lines if line["peer"] != OURS]
    rows = ["| case | rows × tokens | method | ms | peer | its ms | ours / its | tokens/s | its | peak GiB | its | ours / its | TFLOP/s | MFU |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    pairs = [(ours.get(key(peer)), peer) for peer in theirs] + [(line, None) for at, line in ours.items() if not any(key(peer) == at for peer in theirs)]
    order = list(dict.fromkeys(key(line) for line in lines))
    for mine, peer in sorted(pairs, key=lambda pair: order.index(key(pair[0] or pair[1]))):
        case, count, tokens = key(mine or peer)
        for method in METHODS:
            rows.append("| " + " | ".join([
                case, f"{count} × {tokens}", method,
                shown(mine, method, "ms"), peer_name(peer) if peer else "–", shown(peer, method, "ms"), ratio(figure(mine, method, "ms"), figure(peer, method, "ms")),
                shown(mine, method, "tokens_per_s", "{:.0f}"), shown(peer, method, "tokens_per_s", "{:.0f}"),
                shown(mine, method, "peak_gib"), shown(peer, method, "peak_gib"), ratio(figure(mine, method, "peak_gib"), figure(peer, method, "peak_gib")),
                shown(mine, method, "tflops"), shown(mine, method, "mfu", "{:.1%}")]) + " |")
    return rows


def heading(lines):
    cards = sorted({line["gpu"] for line in lines if line.get("gpu")})
    torches = sorted({f"{line['peer']} on {line['torch']}" for line in lines if line.get("torch")})
    peaks = sorted({line["matmul_tflops"] for line in lines if line.get("matmul_tflops")})
    ours = [line for line in lines if line["peer"] == OURS]
    return [f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, {', '.join(cards) or 'no card'}; {'; '.join(torches)}"
            + (f"; steps {'captured' if all(line.get('captured') for line in ours) else 'eager'}" if ours else "")
            + (f"; a bfloat16 product of 8192³ at {', '.join(f'{peak:.0f}' for peak in peaks)} TFLOP/s" if peaks else "") + ".",
            *(["**Not one card: the ratios mean nothing.**"] if len(cards) > 1 else [])]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--peer", help="the peer's script")
    options.add_argument("--compare", help="the peer's lines, in place of running its script")
    options.add_argument("--ours", default="dotnet run -c Release --project benchmarks/Step --")
    options.add_argument("--case", nargs="*", default=CASES)
    options.add_argument("--compile", action="store_true", help="the peer once more, with torch.compile")
    options.add_argument("--eager", action="store_true", help="ours without captured steps")
    options.add_argument("--steps", type=int, help="ours: steps that count")
    options.add_argument("--peer-steps", type=int, help="the peer's: steps that count")
    options.add_argument("--limit", type=int, default=900, help="seconds for a program on a case")
    options.add_argument("--out", default="steps.jsonl")
    asked = options.parse_args()
    if not asked.peer and not asked.compare:
        options.error("one of --peer and --compare is needed")
    known = lines_of(pathlib.Path(asked.compare).read_text()) if asked.compare else []
    lines, failures = [line for line in known if line.get("peer") != OURS and line.get("case") in asked.case], []

    def add(found, file):
        for line in found:
            lines.append(line)
            file.write(json.dumps(line) + "\n")
        file.flush()

    with open(asked.out, "w") as file:
        add([lines.pop(0) for _ in range(len(lines))], file)
        for case in asked.case:
            peer = [sys.executable, asked.peer, "--case", case, *(["--steps", str(asked.peer_steps)] if asked.peer_steps else [])] if asked.peer else None
            if peer and not asked.compare:
                add(run(f"peer, {case}", peer, asked.limit, failures), file)
            ours = [*shlex.split(asked.ours), "--case", case, *(["--steps", str(asked.steps)] if asked.steps else []), *(["--eager"] if asked.eager else [])]
            add(run(f"ours, {case}", ours, asked.limit, failures), file)
            if peer and asked.compile:
                add(run(f"peer compiled, {case}", [*peer, "--compile"], asked.limit, failures), file)
    print("\n".join([*heading(lines), "", *table(lines), *([""] if failures else []), *(f"- failed: {failure}" for failure in failures)]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
