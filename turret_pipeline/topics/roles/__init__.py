"""Which topics are subjects and which carry one on: turns of sessions, who opens and who carries on, roles (roles,
judging), and the subject that each turn goes on about (continuations).
"""
