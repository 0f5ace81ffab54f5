"""In and out."""

from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from haechi.errors import LoginRefused, LoginThrottled
from haechi.server.client import address_of
from haechi.server.desk.access import actor_of, home_of, staff_only
from haechi.server.desk.forms import LoginForm
from haechi.server.staff import services as staff
from haechi.server.staff.models import User
from haechi.server.words import words_for

STATUS = {LoginRefused.code: 403, LoginThrottled.code: 429}


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Name, password and token; a new session id with every login (B09)."""
    if request.method != "POST":
        return _page(request, LoginForm())
    form = LoginForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        user = staff.login(
            **form.cleaned_data,
            address=address_of(request),
            now=timezone.now(),
        )
    except (LoginRefused, LoginThrottled) as error:
        return _page(request, form, code=error.code, status=STATUS[error.code])
    auth.login(request, user)
    return redirect(_onward(request, user))


@require_POST
@staff_only
def logout(request: HttpRequest) -> HttpResponse:
    """End this session."""
    staff.logout(actor_of(request), now=timezone.now())
    auth.logout(request)
    return redirect("desk:login")


def _onward(request: HttpRequest, user: User) -> str:
    address = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours else home_of(user)


def _page(
    request: HttpRequest, form: LoginForm, *, code: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "code": code,
        "words": words_for(code) if code else "",
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "desk/login.html", context, status=status)
