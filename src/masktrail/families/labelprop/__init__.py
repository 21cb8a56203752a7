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
                    "6878423907aab49288459d50280f92d4538a5e8b5c48774407b125556eba44c9"
                ),
                "resnet18-stride16-imagenet.labels.onnx": (
                    "093cead79e40d7fdf15941728cfe7eca2533952224b075041985f03c058b9833"
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
