"""Recognise the posts of Telegram's and Twitter's own exports by their shape, and read them into our fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime

from narratives.model import ReadError

JsonObject = Mapping[str, object]
CHAT = "chat"  # the key under which a message of Telegram carries what the export says of its chat
AUTHOR = "author"  # the key under which a tweet carries the user that the answer names for it
_TWITTER_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d\d:\d\d:\d\d) [+-]\d{4} (\d{4})")


def add_context(whole: JsonObject, path: str, rows: Sequence[object]) -> Sequence[object]:
    """Return the rows at a path of an export, with what the rest of it says about each of them."""
    chat = {"name": whole.get("name"), "type": whole.get("type")}
    if path == "messages" and all(isinstance(value, str) for value in chat.values()):
        return [{**row, CHAT: chat} if isinstance(row, dict) else row for row in rows]
    includes = whole.get("includes")
    if path == "data" and isinstance(includes, dict) and isinstance(includes.get("users"), list):
        users = {str(user.get("id")): user for user in includes["users"] if isinstance(user, dict)}
        return [
            {**row, AUTHOR: users.get(str(row.get("author_id")), {})} if isinstance(row, dict) else row for row in rows
        ]
    return rows


class PostReader:
    """Reads the objects of one file; it remembers which names in it are channels."""

    def __init__(self) -> None:
        self._channels: set[str] = set()

    def read(self, item: JsonObject) -> JsonObject:
        """Return a post by our fields, with its other keys; any other object unchanged.

        Raises ReadError for a post without words: "Anna joined the group", a picture, a poll, a call.
        """
        inner = item.get("tweet")
        if len(item) == 1 and isinstance(inner, dict):  # in an archive of tweets
            item = inner
        if _is_message(item):
            return self._read_message(item)
        return {**item, **_read_tweet(item)} if _is_tweet(item) else item

    def _read_message(self, item: JsonObject) -> JsonObject:
        text = _join_pieces(item["text"])
        if item["type"] != "message" or not text.strip():
            got = _to_string(item.get("action")) or _to_string(item.get("media_type")) or "a picture or a file"
            raise ReadError("a message with words", got.replace("_", " "), "It needs no correction.")
        name, chat = _to_string(item.get("from")), item.get(CHAT)
        outlet, kind = (_to_string(chat.get(key)) for key in ("name", "type")) if isinstance(chat, dict) else ("", "")
        if kind.endswith("channel") or _to_string(item.get("from_id")).startswith("channel"):
            self._channels.add(name)
        # A channel publishes; in a group, people speak.
        is_channel = name in self._channels
        fields = {"text": text, "outlet": outlet or (name if is_channel else ""), "speaker": "" if is_channel else name}
        if forwarded := _to_string(item.get("forwarded_from")):
            fields["speaker"] = forwarded  # whose words they are
        return {**item, **fields}


def _is_message(item: JsonObject) -> bool:
    has_date = isinstance(item.get("date"), str) and ("date_unixtime" in item or "from_id" in item)
    return "text" in item and isinstance(item.get("type"), str) and has_date and "id" in item


def _join_pieces(text: object) -> str:
    """Join the pieces of a message: strings, and objects for links, names and bold type."""
    if isinstance(text, str):
        return text
    pieces = text if isinstance(text, list) else []
    return "".join(_to_string(piece.get("text")) if isinstance(piece, dict) else _to_string(piece) for piece in pieces)


def _is_tweet(item: JsonObject) -> bool:
    if not ("full_text" in item or "text" in item) or not isinstance(item.get("created_at"), str):
        return False
    return isinstance(item.get("user"), dict) or "id_str" in item or {"author_id", "id"} <= item.keys()


def _read_tweet(item: JsonObject) -> JsonObject:
    # A repost repeats the words of somebody else, cut off; they are read whole, as those of that person.
    original = item.get("retweeted_status")
    said = original if isinstance(original, dict) else item
    extended = said.get("extended_tweet")
    text = (extended.get("full_text") if isinstance(extended, dict) else None) or said.get("full_text")
    author = said.get("user") or item.get(AUTHOR)
    fields: dict[str, object] = {
        "id": _to_string(item.get("id_str")) or item.get("id"),
        "text": text or said.get("text"),
        "date": _format_date(_to_string(item["created_at"])),
        "speaker": _to_string(author.get("name")) if isinstance(author, dict) else "",
    }
    if isinstance(lang := item.get("lang"), str) and len(lang) == 2:
        fields["language"] = lang
    return fields


def _format_date(text: str) -> str:
    """Return `Tue May 15 21:40:52 +0000 2018` in ISO 8601, anything else unchanged."""
    if match := _TWITTER_DATE.fullmatch(text):
        month, day, clock, year = match.groups()
        with suppress(ValueError):  # a month, day or time that does not exist
            return parsedate_to_datetime(f"{day} {month} {year} {clock} +0000").isoformat()[:10]
    return text


def _to_string(value: object) -> str:
    return value if isinstance(value, str) else ""
