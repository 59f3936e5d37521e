"""The laws of this code base, checked by machine."""
