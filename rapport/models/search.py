"""Derived rows for finding: match keys, and records whose search index is to be renewed."""

from django.db import models


class MatchKey(models.Model):
    """A hash of what makes a record the same as another (see `duplicates.keys`).

    `hash` covers what sort of key it is and its value; two entities share it, so that a lead finds
    a contact. `entity` is the code of one. The first index answers by itself.
    """

    id = models.BigAutoField(primary_key=True)
    hash = models.BigIntegerField()
    entity = models.SmallIntegerField()
    record = models.UUIDField()

    class Meta:
        indexes = [
            models.Index(fields=["hash", "entity", "record"], name="key_by_hash"),
            models.Index(fields=["record"], name="key_by_record"),
        ]


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
