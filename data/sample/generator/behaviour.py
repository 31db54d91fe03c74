"""How people of the sample behave: what they ask how often, what comes next, where sessions end, and how they rate."""

# fmt: off

RATINGS: dict[str, tuple[int, ...]] = {
    "too_slow": (1, 2, 2, 3), "wrong_numbers": (1, 1, 2), "great_summary": (5, 5, 4), "formatting_lost": (2, 2, 3),
    "too_long": (2, 3, 3), "good_tone": (4, 5, 5), "ignored_instructions": (1, 1, 2), "time_saver": (5, 5, 5, 4),
}

# Which feedback a topic attracts; every theme has weight 1 where nothing is said here.
FEEDBACK_AFTER: dict[str, dict[str, float]] = {
    "meeting_summary": {"great_summary": 14, "time_saver": 3},
    "spreadsheet_formula": {"wrong_numbers": 8}, "stock_forecast": {"wrong_numbers": 9},
    "expense_categories": {"wrong_numbers": 6, "time_saver": 4}, "vat_question": {"wrong_numbers": 5},
    "chart": {"formatting_lost": 8, "wrong_numbers": 3}, "quote_estimate": {"formatting_lost": 5},
    "complaint_reply": {"good_tone": 9}, "refund_reply": {"good_tone": 7}, "payment_reminder": {"good_tone": 7},
    "translation": {"ignored_instructions": 4, "good_tone": 2}, "product_description": {"too_long": 7},
    "business_plan": {"too_long": 6, "time_saver": 3}, "contract_clause": {"too_long": 4, "great_summary": 4},
    "rota_planning": {"time_saver": 7, "ignored_instructions": 4}, "product_photo": {"ignored_instructions": 6},
}

# How often a topic is asked for, before plan, user and month are looked at.
WEIGHTS: dict[str, float] = {
    "meeting_summary": 8.0, "payment_reminder": 5.8, "translation": 5.8, "spreadsheet_formula": 6.2,
    "cancel_subscription": 3.2, "refund_reply": 3.2, "job_advert": 3.0, "social_post": 5.4, "vat_question": 3.6,
    "rota_planning": 3.6, "password_help": 3.4, "product_description": 4.4, "sql_query": 3.4,
    "competitor_research": 2.6, "logo_ideas": 2.4, "proofreading": 4.6, "business_plan": 2.2, "quote_estimate": 6.4,
    "stock_forecast": 2.8, "chart": 3.4, "contract_clause": 2.8, "complaint_reply": 3.2, "scheduling": 4.0,
    "customer_survey": 2.3, "onboarding_checklist": 1.8, "expense_categories": 3.6, "product_photo": 5.0,
}

# The image tool is new: hardly anybody finds it in August, and from 1 September it grows week by week.
GROWING_TOPIC = "product_photo"

# What tends to come next in the same session (weights; the rest follows WEIGHTS).
NEXT: dict[str, dict[str, float]] = {
    "quote_estimate": {"payment_reminder": 5, "contract_clause": 1, "scheduling": 1},
    "payment_reminder": {"complaint_reply": 4, "contract_clause": 1},
    "complaint_reply": {"refund_reply": 5, "proofreading": 1},
    "refund_reply": {"cancel_subscription": 1, "complaint_reply": 2},
    "meeting_summary": {"scheduling": 6, "translation": 1},
    "scheduling": {"rota_planning": 1, "meeting_summary": 1},
    "job_advert": {"onboarding_checklist": 4, "social_post": 2},
    "onboarding_checklist": {"rota_planning": 3},
    "product_description": {"social_post": 3, "product_photo": 3, "translation": 1},
    "product_photo": {"social_post": 3, "product_description": 2},
    "logo_ideas": {"social_post": 2, "competitor_research": 1},
    "business_plan": {"competitor_research": 4, "logo_ideas": 2},
    "competitor_research": {"customer_survey": 2, "business_plan": 1},
    "sql_query": {"chart": 5, "spreadsheet_formula": 1},
    "spreadsheet_formula": {"chart": 4, "expense_categories": 1},
    "stock_forecast": {"chart": 2, "spreadsheet_formula": 2},
    "expense_categories": {"vat_question": 4},
    "translation": {"proofreading": 3},
    "proofreading": {"translation": 2},
    "customer_survey": {"chart": 3},
}

# How likely a session ends after a question on the topic, whatever its planned length.
ENDS: dict[str, float] = {"password_help": 0.6, "cancel_subscription": 0.7, "proofreading": 0.2, "refund_reply": 0.15}

# What a plan asks more (or less) than the others.
PLAN_BIAS: dict[str, dict[str, float]] = {
    "free": {"logo_ideas": 2.4, "social_post": 1.8, "business_plan": 1.8, "sql_query": 0.2, "contract_clause": 0.4,
             "cancel_subscription": 0.4, "onboarding_checklist": 0.6},
    "team": {"rota_planning": 1.8, "meeting_summary": 1.3, "scheduling": 1.4, "onboarding_checklist": 1.4},
    "business": {"sql_query": 3.2, "contract_clause": 2.6, "chart": 1.6, "stock_forecast": 1.6, "logo_ideas": 0.3,
                 "social_post": 0.5},
}
