"""Parts of hints, in the regular expression syntax that Python and Rust share.

A hint is a pattern that finds at least the texts that a precise pattern finds. Rust applies it to many texts at once,
and to the raw text of JSON, where a line break is two characters, of which the second is a letter.
"""

ADDRESS_START = r"(?:^|[^0-9A-Za-z_./]|//|\\[nrt])"
WORD_START = r"(?:^|[^0-9A-Za-z_]|\\[nrt])"
NUMBER_START = r"(?:^|[^0-9A-Za-z_.,:/+\-]|\\[nrt])"
STARTS = (ADDRESS_START, WORD_START, NUMBER_START)

IN_STRING = r'(?:[^"\\]|\\.)*'
NO_DIGITS = r'(?:[^0-9"\\]|\\.)*'
"""The rest of a JSON string, and the part of it before the first digit."""
SIGN = "[0-9!#$%&*@^+=~?]"
NO_SIGNS = r'(?:[^0-9!#$%&*@^+=~?"\\]|\\.)*'
"""A digit or a sign, which most passwords have, and the part of a JSON string before the first one."""
NO_SIGNS_OR_SPACES = r'(?:[^0-9!#$%&*@^+=~? "\\]|\\.)*'
COLON = r'"[ \t\r\n]*:[ \t\r\n]*'
"""Text from the end of a JSON key to its value."""
