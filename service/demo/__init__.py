"""The sample: a synthetic hall, its people, and some hundred complaints over eight months, and a year of visits."""

from service.demo.loading import PASSWORD, Loaded, NotForDemo, load
from service.demo.people import STAFF, Person
from service.demo.show import show

__all__ = ["PASSWORD", "STAFF", "Loaded", "NotForDemo", "Person", "load", "show"]
