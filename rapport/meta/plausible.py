"""What a value of some kinds should look like, as patterns that both databases and Python read
alike: no class but [0-9], no look-ahead but at the start.

Stricter than what may be stored: whoever types is not held up, whoever tidies up finds it.
"""

from .kinds import Kind

_ATOM = r"""[^@\s<>"(),;:\\\[\].]+"""
_END = r"""[^@\s<>"(),;:\\\[\]._-]"""
_LABEL = rf"""{_END}([^@\s<>"(),;:\\\[\]._]*{_END})?"""
_DASHES = "\u2010-\u2015"
# Nothing that anybody is called: "Na", "Nan", "Blank" and "Foo" are names.
_NOTHING = (
    r"[-–—_.?*#!/]+|(test(er|ing)? ?[0-9]*)+|n/a|n\.a\.?|k\. ?a\.|none|null|unknown"
    r"|unbekannt|inconnu|tbd|tba|todo|dummy|fake|asdf+|qwert[yz]?|x{2,}|y{3,}|z{3,}|foobar"
    r"|lorem ipsum|undefined|not (available|applicable|known)|keine angabe"
)
_NOBODY = (
    r"(tests?|none|no[-_.]?e?mail|dummy|fake|asdf+|qwert[yz]?|x{2,}|unknown|foobar)[0-9]*@.*"
    r"|.*@(test|asdf+|none|no[-_.]?e?mail|dummy|fake|x{2,})\.[a-z]+"
)
_NO_NUMBER = r"[^0-9]*0?1234567?8?9?0?|9?8?7?654321|.*[^0-9]0{6,}"

# A value that is valid, in whatever case.
VALID: dict[Kind, str] = {
    Kind.EMAIL: (
        rf"^{_ATOM}(\.{_ATOM})*@({_LABEL}\.)+"
        r"""([^@\s<>"(),;:\\\[\]._0-9-]{2,}|xn--[a-z0-9-]+)$"""
    ),
    # An extension may stand behind it.
    Kind.PHONE: (
        r"^(?=([^0-9]*[0-9]){5,20}[^0-9]*$)"
        rf"[+(]?[+0-9 ()./\u00a0{_DASHES}-]*((;ext=|x|ext\.?|extension|#|,) *[0-9]+)?$"
    ),
    Kind.URL: (
        r"^((https?|ftp)://)?([^@\s/]+@)?"
        rf"({_LABEL}\.)+[^@\s/._0-9-]{{2,}}(:[0-9]+)?([/?#]\S*)?$"
    ),
}
# A value in the form in which it is usually kept, in this very case.
TIDY: dict[Kind, str] = {
    Kind.EMAIL: r"^[^A-Z\s<>]*$",
    Kind.PHONE: r"^\+[1-9][0-9 -]*[0-9]( ext\. [0-9]+)?$",
}
# More than one word, as in a field that has two names.
SEVERAL: dict[Kind, str] = {Kind.TEXT: r"[^\s]\s+[^\s]"}
# What people type to get past a field, in whatever case.
PLACEHOLDER: dict[Kind, str] = {
    Kind.TEXT: rf"^ *({_NOTHING}) *$",
    Kind.LONG_TEXT: rf"^\s*({_NOTHING})\s*$",
    # First, so that the back-references count from one: a@a.a, 000 000.
    Kind.EMAIL: rf"^([a-z0-9])\1*@\1+\.[a-z]+$|^({_NOBODY}|{_NOTHING})$",
    Kind.PHONE: rf"^[^0-9]*([0-9])([^0-9]*\1){{4,}}[^0-9]*$|^({_NO_NUMBER}|{_NOTHING})$",
    Kind.URL: rf"^((https?://)?(www\.)?(test|asdf|none|example)\.[a-z]+/?|{_NOTHING})$",
}
