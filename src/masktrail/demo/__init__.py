"""The clip that shows what MaskTrail does, painted by the project itself."""

from masktrail.demo.clip import render_demo

__all__ = ["render_demo"]
