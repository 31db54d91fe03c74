"""What may stand before a number, in the regular expressions that Python and Rust share.

A hint is a pattern that finds at least what a precise one finds; it is read by Rust over many texts at once, and over
the raw text of JSON too, where a line break is two characters, the second one a letter.
"""

ADDRESS_START = r"(?:^|[^0-9A-Za-z_./]|//|\\[nrt])"
WORD_START = r"(?:^|[^0-9A-Za-z_]|\\[nrt])"
NUMBER_START = r"(?:^|[^0-9A-Za-z_.,:/+\-]|\\[nrt])"
STARTS = (ADDRESS_START, WORD_START, NUMBER_START)

IN_STRING = r'(?:[^"\\]|\\.)*'
NO_DIGITS = r'(?:[^0-9"\\]|\\.)*'
"""The rest of a JSON string, and as much of it as has no digit; a plain text has no end but its own."""
COLON = r'"[ \t\r\n]*:[ \t\r\n]*'
"""From the end of a key to its value."""
