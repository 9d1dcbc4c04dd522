"""The page: rooms that a person who signed in looks at. Server-rendered; what moves is htmx, Alpine and small scripts.

A room is a file of `rooms/` with its `WAYS` (method, path, function), a template of its name in `templates/`, and where
it needs one a script of its name in `static/`. Functions get a `Visit` and run in a thread: they may ask the database.
"""
