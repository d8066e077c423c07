"""What the tests of this folder share."""

from tests.fits import fits_are_remembered

__all__ = ["fits_are_remembered"]
