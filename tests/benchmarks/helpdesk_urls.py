"""Where the peer django-helpdesk is found: at the root."""

from importlib import import_module

urls = import_module("django.urls")  # by name: only bench.lock brings it
urlpatterns = [urls.path("", urls.include("helpdesk.urls"))]
