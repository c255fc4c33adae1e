"""`streamtally demo`: the usual loop beside streamtally on the same chunks, and then every kind of stream end to end.

It begins in `program.run`. Nothing is imported here, so that the words of the demo can be had without its servers.
"""
