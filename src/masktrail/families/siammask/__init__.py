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
                    "05822934df4d93bddb5b5ab9725b99b20ecc732313ae6c6ba8d5b602fe2ab25f"
                ),
            },
            graphs={
                "siammask.exemplar.onnx": (
                    "40d773bcd803019ed685eaa7a00e33920ffb3a9284e049339505efcac96d7add"
                ),
                "siammask.search.int8.onnx": (
                    "bde23ba93caa55d63aa0d1775c599f0e186d88465bec9dc6d18e13d502388b66"
                ),
                "siammask.search.onnx": (
                    "d7fcfac9ba6be8c14c00d493d78dc3db6a6c0bb03d0f4dc82ef0949ea357873d"
                ),
                "siammask.match.onnx": (
                    "8a8324ee290eaba04b04fb2501f7caa6a6d3449e4fec45a2d636531c416ed82f"
                ),
                "siammask.coarse.onnx": (
                    "0442ca59707477c429100d1750cd22e18a803d79153aabf447b300877f872dde"
                ),
                "siammask.refined.int8.onnx": (
                    "38d6a104bbfd614bb4297a4671aa9ac51af72ca9cb8317e2cfd5323db9f866ff"
                ),
                "siammask.refined.onnx": (
                    "e5136b0c7b40e789984087b53e78a7820223a4fd6f2a8957e51d5460d08308c6"
                ),
                "siammask.labels.onnx": (
                    "1b0b97264ed074e1eab0b07f07aa9cfe024234695b993e8d1a49d4c18bacaec9"
                ),
            },
            parameters=5_456_388,
            size=480,
            data=f"{WITHOUT_TUNING}; ResNet-18 of ImageNet",
            training="",
            licence=RESEARCH,
            recipe="relay/siammask.toml",
            scores={"davis2016-dev10 J&F from a box": 0.5},
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
        calibration=Calibration(0.5, 10.0),
    ),
)
