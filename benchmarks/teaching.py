"""What a model gains by being taught a video, by steps instead of seconds, so that every machine
finds about the same.

    python benchmarks/teaching.py --data ROOT [--sequences A,B] [--model lucid] [--steps 0,60]
        [--set flow=none] [--constant RATE=1e-4]

Sequences are tracked by torch from their first masks. Printed are J&F for each number of steps, and
J of every sequence; `--constant` is one of those of its family's `teaching.py`. AGUNet's own number
of steps must be no less: `--model agunet --set steps=1000`.
"""

import argparse
import importlib.util
from ast import literal_eval
from pathlib import Path

from adapting import Steps
from masktrail import families
from masktrail.cli.options import read_assignments
from masktrail.evaluate.run import evaluate
from masktrail.families import fitting
from masktrail.settings import ModelOptions
from masktrail.zoo import card_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sequences")
    parser.add_argument("--model", default="lucid")
    parser.add_argument("--steps", default="0,60")
    parser.add_argument("--set", dest="settings", action="append")
    parser.add_argument("--constant", action="append")
    arguments = parser.parse_args()
    names = arguments.sequences.split(",") if arguments.sequences else None
    where = f"{families.__name__}.{card_of(arguments.model).family}.teaching"
    if not importlib.util.find_spec(where):
        parser.error(f"there is no {where}; benchmarks/adapting.py is for memory-s")
    teaching = importlib.import_module(where)
    for name, value in read_assignments(arguments.constant).items():
        if not name.isupper() or not hasattr(teaching, name):
            parser.error(f"{teaching.__name__} has no constant {name}")
        setattr(teaching, name, literal_eval(value))
    fitting.time = Steps()
    for steps in arguments.steps.split(","):
        settings = {**read_assignments(arguments.settings), "budget": steps}
        options = ModelOptions(device="cpu", engine="torch", settings=settings)
        (result,) = evaluate([arguments.model], arguments.data, names, options=options)
        each = {
            name: [round(one["J"]["mean"], 3) for one in objects.values()]
            for name, objects in result["sequences"].items()
        }
        print(f"{steps} steps: J&F {result['J&F']:.4f}, J {each}", flush=True)


if __name__ == "__main__":
    main()
