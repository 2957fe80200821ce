"""What a browser without script does with a page: read it, fill in a form, send it."""

import re
from urllib.parse import urlsplit

from lxml import html

_STEP = re.compile(
    r"(?P<tag>[a-z][a-z0-9-]*)|#(?P<id>[\w-]+)|\.(?P<class>[\w-]+)"
    r"|\[(?P<name>[\w-]+)(?:(?P<how>[$^]?)='?(?P<value>[^'\]]*)'?)?\]"
)


class Element(html.HtmlElement):
    """An element that finds others by plain selectors: `tag.class #id [name='value']`."""

    def cssselect(self, selector):
        path = "descendant-or-self::*"
        # Blanks inside brackets belong to a value.
        for step in re.findall(r"(?:\[[^\]]*\]|\S)+", selector):
            path += "/descendant::*" + "".join(_condition(part) for part in _STEP.finditer(step))
        return self.xpath(path)


def _condition(part):
    if part["tag"]:
        return f"[self::{part['tag']}]"
    if part["id"]:
        return f"[@id='{part['id']}']"
    if part["class"]:
        return f"[contains(concat(' ', normalize-space(@class), ' '), ' {part['class']} ')]"
    name, value = part["name"], part["value"]
    if value is None:
        return f"[@{name}]"
    if part["how"] == "$":
        return f"[substring(@{name}, string-length(@{name}) - {len(value) - 1}) = '{value}']"
    return f"[starts-with(@{name}, '{value}')]" if part["how"] else f"[@{name}='{value}']"


class _Lookup(html.HtmlElementClassLookup):
    def lookup(self, node_type, document, namespace, name):
        found = super().lookup(node_type, document, namespace, name)
        if found is None or not issubclass(found, html.HtmlElement):
            return found
        return (
            type(found.__name__, (Element, found), {}) if found is not html.HtmlElement else Element
        )


_PARSER = html.HTMLParser()
_PARSER.set_element_class_lookup(_Lookup())


def page(response):
    """The document of an answer."""
    return html.document_fromstring(response.content.decode() or "<p></p>", parser=_PARSER)


def words(element):
    """The text of an element, blanks collapsed."""
    return " ".join(element.text_content().split())


def form(response, action):
    """(address, {name: values}) of the form whose address ends with `action`."""
    found = next(f for f in page(response).forms if urlsplit(f.action or "").path.endswith(action))
    return found.action, values_of(found)


def values_of(found):
    """{name: values} of a form as a browser would send it."""
    texts = {area.name for area in found.cssselect("textarea")}
    values = {}
    for name, value in found.form_values():
        # A browser eats the line feed behind the start tag of a text area.
        value = value.removeprefix("\n") if name in texts else value
        values.setdefault(name, []).append(value)
    return values


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
