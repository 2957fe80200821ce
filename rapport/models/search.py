"""Derived rows for finding: match keys, and records whose search index is to be renewed."""

from django.db import models


class MatchKey(models.Model):
    """A hash of what makes a record the same as another (see `duplicates.keys`).

    `hash` covers what sort of key it is and its value; two entities share it, so that a lead finds
    a contact. `entity` is the code of one. Nothing but an index: of all that is written of a record
    these are most. On SQLite the table is its own index.
    """

    pk = models.CompositePrimaryKey("hash", "entity", "record")
    hash = models.BigIntegerField()
    entity = models.SmallIntegerField()
    record = models.UUIDField()


class FreshKey(models.Model):
    """A match key that is not in the index yet, see `duplicates.fresh`: those of one `run` lie
    together, in the order of the index. On SQLite alone, and only while much is written."""

    pk = models.CompositePrimaryKey("run", "hash", "entity", "record")
    run = models.IntegerField()
    hash = models.BigIntegerField()
    entity = models.SmallIntegerField()
    record = models.UUIDField()


class KeyRing(models.Model):
    """All match keys of one record, by which they are found again when it changes or goes: `hashes`
    with commas between them."""

    record = models.UUIDField(primary_key=True)
    entity = models.SmallIntegerField()
    hashes = models.TextField()


class SearchQueue(models.Model):
    """A record whose search text is stale, because a record that it names has changed."""

    id = models.BigAutoField(primary_key=True)
    entity = models.CharField(max_length=32)
    record = models.UUIDField()


class SearchBacklog(models.Model):
    """Records of a long operation that are stored and not in the search index yet. `records`:
    their ids, as hexadecimal digits one after the other."""

    id = models.BigAutoField(primary_key=True)
    entity = models.CharField(max_length=32)
    records = models.TextField()
