"""`{{ at|moment }}` and `{{ seconds|span }}`."""

from django import template

from haechi.server.public import times

register = template.Library()
register.filter("moment", times.moment)
register.filter("span", times.span)
