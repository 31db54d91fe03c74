"""Prompts that an application wrote in the template of a model, with all turns of a chat in one text.

The templates are those of Anthropic's completions, Llama 2 and 3, Mistral, ChatML, Gemma and Titan, as their model
cards document them.
"""

import re

_TURNS = {
    "<|start_header_id|>": re.compile(
        r"<\|start_header_id\|>(\w+)<\|end_header_id\|>(.*?)(?=<\|eot_id\|>|<\|start_header_id\|>|\Z)", re.DOTALL
    ),
    "<|im_start|>": re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?=<\|im_end\|>|<\|im_start|\Z)", re.DOTALL),
    "<start_of_turn>": re.compile(r"<start_of_turn>(\w+)\n(.*?)(?=<end_of_turn>|<start_of_turn>|\Z)", re.DOTALL),
    "\n\nAssistant:": re.compile(r"(?:\A|\n\n)(Human|Assistant):(.*?)(?=\n\n(?:Human|Assistant):|\Z)", re.DOTALL),
    "\nBot:": re.compile(r"(?:\A|\n)(User|Bot):(.*?)(?=\n(?:User|Bot):|\Z)", re.DOTALL),
}
"""Turns by the mark without which a text has none."""

_INSTRUCTIONS = re.compile(r"\[INST\](.*?)\[/INST\](.*?)(?=</s>|<s>|\[INST\]|\Z)", re.DOTALL)
_SYSTEM = re.compile(r"<<SYS>>.*?<</SYS>>", re.DOTALL)

_ASKING = frozenset(("user", "human"))


def split_turns(prompt: str) -> list[tuple[str, str]]:
    """Roles and texts of the turns in a prompt; none if it has no template. Turns without a text are left out."""
    if "[INST]" in prompt and "[/INST]" in prompt:
        pairs = _INSTRUCTIONS.findall(prompt)
        turns = [turn for asked, answer in pairs for turn in (("user", _SYSTEM.sub("", asked)), ("assistant", answer))]
    else:
        turns = next((pattern.findall(prompt) for mark, pattern in _TURNS.items() if mark in prompt), [])
    named = [(role.lower(), text.strip()) for role, text in turns if text.strip()]
    return named if any(role in _ASKING for role, _ in named) else []
