"""Label propagation over frozen features."""

from masktrail.tracking.family import Card, Family, Lazy

FAMILY = Family(
    name="labelprop",
    cards={
        "labelprop": Card(
            about="Label propagation over frozen ResNet-18 features; never trained on video",
            size=480,
            files={
                "resnet18-stride16-imagenet.safetensors": (
                    "eb6704e1e68575a732efd3855e485654b726422ae27a466cb2a0fb7488bebfec"
                )
            },
            graphs={
                "resnet18-stride16-imagenet.forward.onnx": (
                    "32b4c00e596a204fef4d266a7fd6038113d81839e96de1c1101bf29c48918101"
                ),
                "resnet18-stride16-imagenet.labels.onnx": (
                    "3a4fe6537b94f1b1b2af8e8f65ad84b14c3deff77702e1d6dd76f581d21d7d5d"
                ),
            },
            parameters=2_780_544,
            data="ImageNet-1k (classification), weights as published with torchvision",
            licence="BSD-3-Clause (torchvision); the copy it was made from carries no licence file",
            scores={"davis2016-dev10 J&F": 0.650},
            scored_by="openvino bfloat16",
        ),
    },
    network=Lazy(__name__, "network:FeatureNetwork"),
    config=Lazy(__name__, "network:FeatureConfig"),
    propagator=Lazy(__name__, "propagator:LabelPropagator"),
    graphs=Lazy(__name__, "graphs:graphs"),
    importer=Lazy(__name__, "importing:from_resnet18"),
)
