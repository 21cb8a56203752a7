"""SiamMask: from a box to a mask in every frame."""

from masktrail.families.words import RESEARCH, WITHOUT_TUNING
from masktrail.tracking.family import Calibration, Card, Family, Lazy, Traits

FAMILY = Family(
    name="siammask",
    cards={
        "siammask": Card(
            about="SiamMask, ResNet-18, from a box: where it is, and its mask there; in training",
            files={
                "siammask-00001-of-00001.safetensors": (
                    "e8869bdbdd44c5e530676b50b3d615c7df4861ad0813c43809c5e6ef2a667f9a"
                ),
            },
            graphs={
                "siammask.exemplar.onnx": (
                    "4b08e8e6a24404504f85db9725913eaf3ac02a5388d1da9e059392fa8ae6391b"
                ),
                "siammask.search.int8.onnx": (
                    "b23f4d06f74210a6e623b6e0f58da3c8ae0f742808014241d1e487866e7d0732"
                ),
                "siammask.search.onnx": (
                    "38daa64e0a092309d8ce5312a106bad9cc3b1d4e41af77b7ef7b20ca49c5005f"
                ),
                "siammask.match.onnx": (
                    "98ad8eff94bab39e742b5399c6c43ecc78f5c392ed1e2b4b13fc738d3eb26671"
                ),
                "siammask.coarse.onnx": (
                    "81be8699d73a72df2e7e85a3e70df00d08848b76559218668aa9799cabdafe57"
                ),
                "siammask.refined.int8.onnx": (
                    "deab1d2af07c66583ba8b8b22cd85159fe13d45b4959cd847c06e99afb440735"
                ),
                "siammask.refined.onnx": (
                    "b751c7d6ba52176b506cb110fa9d815b135efcf0c88b653e16798522a68d5f93"
                ),
                "siammask.labels.onnx": (
                    "99007644367a27171086584f77c3eaf05424544acb1e5a6d4b660c84455b7f8b"
                ),
            },
            parameters=5_456_388,
            size=480,
            data=f"{WITHOUT_TUNING}; ResNet-18 of ImageNet",
            training="86,792 clips in 102 minutes on two CPU cores",
            licence=RESEARCH,
            recipe="relay/siammask.toml",
            scores={"davis2016-dev10 J&F": 0.558, "davis2016-dev10 J&F from a box": 0.560},
            scored_by="openvino int8",
        ),
    },
    network=Lazy(__name__, "network:SiamMask"),
    config=Lazy(__name__, "config:SiamMaskConfig"),
    propagator=Lazy(__name__, "propagator:SiamMaskPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    training=Lazy(__name__, "training:TRAINING"),
    importer=Lazy(__name__, "importing:from_siammask"),
    traits=Traits(
        strays=False,
        rotated=True,
        scores=True,
        calibration=Calibration(0.83, 20.0),
    ),
)
