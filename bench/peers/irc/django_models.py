"""The tables as Django's models; imported once Django is configured."""

from __future__ import annotations

from django.db import models


class Bot(models.Model):
    slug = models.TextField()
    server = models.TextField()

    class Meta:
        app_label = "irc"
        db_table = "bots"


class Channel(models.Model):
    bot = models.ForeignKey(Bot, models.CASCADE)
    slug = models.TextField()
    name = models.TextField()
    topic = models.TextField(null=True)
    is_public = models.BooleanField()

    class Meta:
        app_label = "irc"
        db_table = "channels"


class Log(models.Model):
    channel = models.ForeignKey(Channel, models.CASCADE)
    timestamp = models.DateTimeField()
    nick = models.TextField()
    text = models.TextField()
    action = models.BooleanField()
    command = models.TextField(null=True)
    host = models.TextField(null=True)
    raw = models.TextField(null=True)
    is_bot = models.BooleanField()
    thread_id = models.BigIntegerField(null=True)

    class Meta:
        app_label = "irc"
        db_table = "logs"


class Contributor(models.Model):
    channel = models.ForeignKey(Channel, models.CASCADE)
    nick = models.TextField()
    lines = models.BigIntegerField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        app_label = "irc"
        db_table = "contributors"


class Size(models.Model):
    channel = models.ForeignKey(Channel, models.CASCADE)
    day = models.DateField()
    users = models.BigIntegerField()

    class Meta:
        app_label = "irc"
        db_table = "sizes"
