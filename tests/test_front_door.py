"""What `import masktrail` shows, and to whom."""

import pydoc
import re

import pytest

import masktrail


def test_public_names_are_found_and_no_others() -> None:
    shown = {name for name in dir(masktrail) if not name.startswith("_")}
    assert shown == set(masktrail.__all__) == set(masktrail._HOMES)
    told = pydoc.plain(pydoc.render_doc(masktrail))
    for name in masktrail.__all__:
        assert getattr(masktrail, name) is not None and re.search(rf"\b{name}\b", told)


def test_a_name_that_there_is_not_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'masktrail' has no attribute 'Trakcer'"):
        masktrail.Trakcer  # noqa: B018
