"""Per-request settings of the viewer."""


class ViewerMiddleware:
    """Activates the viewer's time zone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)
