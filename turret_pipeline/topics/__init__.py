"""Topics of a text field, in folders along the flow.

    embed ─▶ group ─▶ update ─┐
                 └──▶ label ──┴▶ keep ─▶ roles
                                   └──▶ relate

Distinct texts become vectors (embed), neighbours become groups (group), and groups become topics: new texts join those
that are known, others are born (update). Topics get names, themes and places on a map (label), and all of it is kept as
tables that the next run goes on from, a person's edits over them (keep). Then it is told which topics are subjects of
sessions (roles), and how topics go with time and segments (relate).

A folder imports none to its right.
"""
