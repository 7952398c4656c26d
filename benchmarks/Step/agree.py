"""Whether two runs of benchmarks/Step with --trace, such as a captured and an eager one, train alike.

usage: agree.py ONE.jsonl OTHER.jsonl

For each case, shape and method both have: how far losses of the first twenty steps are apart, as a share of the loss, and at how many of them the same tensors were perturbed. SAM perturbs all of them.
Needs nothing but the standard library.
"""
import argparse, json


def traces(path):
    found = {}
    with open(path) as file:
        for text in file:
            if text.startswith("{"):
                line = json.loads(text)
                for field in (field for field in line if field.endswith("_trace")):
                    found[line["case"], line["rows"], line["tokens"], field.removesuffix("_trace")] = line[field]
    return found


def apart(one, other, field):
    shares = [abs(a[field] - b[field]) / abs(b[field]) for a, b in zip(one, other) if a[field] is not None]
    return f"{max(shares):.1e}" if shares else "–"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("one")
    options.add_argument("other")
    asked = options.parse_args()
    one, other = traces(asked.one), traces(asked.other)
    if not one.keys() & other.keys():
        raise SystemExit(f"{asked.one} and {asked.other} have no case, shape and method in common; both must come from runs with --trace")
    print("| case | rows × tokens | method | losses apart | perturbed losses apart | same tensors |\n|---|---|---|---|---|---|")
    for at in (at for at in one if at in other):
        case, rows, tokens, method = at
        same = sum(sorted(a["perturbed"]) == sorted(b["perturbed"]) for a, b in zip(one[at], other[at]))
        print(f"| {case} | {rows} × {tokens} | {method} | {apart(one[at], other[at], 'loss')} | {apart(one[at], other[at], 'perturbed_loss')} | {same} of {len(one[at])} |")


if __name__ == "__main__":
    main()
