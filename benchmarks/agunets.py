"""What AGUNet's two choices give: how pictures are compared, and what guides the skips.

    python benchmarks/agunets.py --data DAVIS2016_TRAIN

The four are trained from the same ImageNet encoder and the same random rest, on the same clips, by
`recipes/agunets.toml`, and scored without steps on the marked frame; see `variants`.
"""

from variants import Table, Variant, compare

BASE, TWIN = "topk-concat", "seed"

XCORR, REPLACE = {"model.g": "xcorr"}, {"model.fuse": "replace"}

VARIANTS = (
    Variant(BASE, "the most similar pixels; F and F * S"),
    Variant(TWIN, "another seed", BASE, {"seed": 101}),
    Variant("topk-replace", "the most similar pixels; F * S alone", BASE, REPLACE),
    Variant("xcorr-concat", "the object as a kernel; F and F * S", BASE, XCORR),
    Variant("xcorr-replace", "the object as a kernel; F * S alone", BASE, XCORR | REPLACE),
)

TABLE = Table("agunets", VARIANTS, TWIN, 3000, lambda recipe: {"steps": 0})

if __name__ == "__main__":
    compare(TABLE, __doc__)
