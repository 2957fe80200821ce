"""Derived rows for finding: match keys, and records whose search index is to be renewed."""

from django.db import models


class MatchKey(models.Model):
    """A hash of what makes a record the same as another (see `duplicates.keys`).

    `hash` covers entity, rule and value, so that one index probe finds the candidates.
    """

    id = models.BigAutoField(primary_key=True)
    hash = models.BigIntegerField(db_index=True)
    record = models.UUIDField(db_index=True)
    rule = models.CharField(max_length=24)


class SearchQueue(models.Model):
    """A record whose search text is stale, because a record that it names has changed."""

    id = models.BigAutoField(primary_key=True)
    entity = models.CharField(max_length=32)
    record = models.UUIDField()
