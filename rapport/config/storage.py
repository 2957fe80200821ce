"""How static files are stored for production."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Names with a hash of the content, also where one script imports another: a browser never
    mixes the scripts of two releases."""

    support_js_module_import_aggregation = True
