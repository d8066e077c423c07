"""What a kept proof holds for: files that are there, so that none of them changes without a new proof."""

import pytest

from tests.disclosure.prove import DECIDING, ROOT


@pytest.mark.parametrize("pattern", DECIDING)
def test_every_file_that_decides_is_there(pattern: str) -> None:
    assert list(ROOT.glob(pattern))
