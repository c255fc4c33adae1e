"""Lets real SDKs and frameworks read answers from a server on this machine through `streamtally.wrap`, and compares the records.

`python -m compatibility` runs all rows, `python -m compatibility groq replicate` some; `make far` does the same.
"""
