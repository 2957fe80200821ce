"""What a browser without script does with a page: read it, fill in a form, send it."""

from urllib.parse import urlsplit

from lxml.html import document_fromstring


def page(response):
    """The document of an answer."""
    return document_fromstring(response.content.decode() or "<p></p>")


def words(element):
    """The text of an element, blanks collapsed."""
    return " ".join(element.text_content().split())


def form(response, action):
    """(address, {name: values}) of the form whose address ends with `action`."""
    found = next(f for f in page(response).forms if urlsplit(f.action or "").path.endswith(action))
    values = {}
    for name, value in found.form_values():
        values.setdefault(name, []).append(value)
    return found.action, values


def send(client, response, action, **changes):
    """Send the form of a page with some fields filled in; None takes a field away."""
    address, values = form(response, action)
    for name, value in changes.items():
        values[name] = [value] if isinstance(value, str) else value
    return client.post(address, {name: v for name, v in values.items() if v is not None})


def errors(response):
    """{id of the field: message} of a form that came back."""
    return {
        found.get("id").removesuffix("-error").partition("-")[2]: words(found)
        for found in page(response).cssselect(".errors[id]")
    }


def toast(response):
    """(text, address of Undo or None) of the first toast of a page."""
    found = page(response).cssselect("#toasts .toast")[0]
    undo = found.cssselect("form")
    return words(found.cssselect(".toast-text")[0]), undo[0].action if undo else None
