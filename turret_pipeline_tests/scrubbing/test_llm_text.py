"""Scrubbing of texts that are sent to an LLM."""

import time

import pytest

from turret_pipeline.scrubbing import scrub_for_llm


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mail jo.do+x@example.co.uk, or o'neil@x.de.", "Mail <EMAIL>, or <EMAIL>."),
        ("cc: JÜRGEN@BÜRO.example", "cc: <EMAIL>"),
        ("Call +41 79 123 45 67 now", "Call <PHONE> now"),
        ("ring 079 123 45 67 or (415) 555-2671 or 415.555.2671", "ring <PHONE> or <PHONE> or <PHONE>"),
        ("+1-202-555-0143, 0044 20 7946 0958", "<PHONE>, <PHONE>"),
        ("my phone number: 555-0143 thanks", "my phone number: <PHONE> thanks"),
        ("card 4111 1111 1111 1111 exp 12/27", "card <CARD> exp 12/27"),
        ("amex 378282246310005", "amex <CARD>"),
        ("to CH93 0076 2011 6238 5295 7 please", "to <IBAN> please"),
        ("to BE68 5390 0754 7034 this week", "to <IBAN> this week"),
        ("iban gb82west12345698765432", "iban <IBAN>"),
        ("from 192.168.1.10:8080 to 2001:db8::ff00:42:8329", "from <IP>:8080 to <IP>"),
        ("account 123456789 is closed", "account <NUMBER> is closed"),
        ("my SSN is 219-09-9999", "my SSN is <NATIONAL_ID>"),
        ("customer C1234567890", "customer C<NUMBER>"),
        ("key sk-proj-abcDEF123456ghiJKL", "key <KEY>"),
        ("AKIAIOSFODNN7EXAMPLE ghp_16C7e42F292c6912E7710c838347Ae178B4a", "<KEY> <KEY>"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer <KEY>"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123 fails", "<KEY> fails"),
        ("password: hunter2! and api_key=abc_123", "password: <KEY> and api_key=<KEY>"),
        ("DB_PASSWORD=hunter2!x db.pass: a1b2c3 MYSQL_PWD=a1b2c3", "DB_PASSWORD=<KEY> db.pass: <KEY> MYSQL_PWD=<KEY>"),
        ("client_secret: abcd1234efgh", "client_secret: <KEY>"),
        ("OPENAI_API_KEY=abcd-1234-efgh-5678", "OPENAI_API_KEY=<KEY>"),
        ('user_password="correct-h0rse"', "user_password=<KEY>"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = <KEY>"),
        ("AccountName=x;AccountKey=aB3/x+9Q==;End=y", "AccountName=x;AccountKey=<KEY>;End=y"),
        ('{"clientSecret": "ab12cd34", "sharedKey" : "ab12cd34"}', '{"clientSecret": <KEY>, "sharedKey" : <KEY>'),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id <KEY>"),
        ("hash d41d8cd98f00b204e9800998ecf8427e", "hash <KEY>"),
        (
            "open https://jo:secret@host.example/x?a=1&token=abc#t",
            "open https://<KEY>@host.example/x?a=1&token=<KEY>#t",
        ),
        ("s3 ?X-Amz-Signature=0a1b2c&part=2", "s3 ?X-Amz-Signature=<KEY>&part=2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY----- ok", "<KEY> ok"),
    ],
)
def test_personal_data_and_secrets_are_replaced_by_marks(text: str, expected: str) -> None:
    assert scrub_for_llm(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Where is order 12345?",
        "order #1234567 of 2024",
        "sales of 2022, 2023 and 2024, or 2023 2024 2025",
        "from 2024-03-12 10:30:00 to 12.03.2024, not 3/12/2024",
        "it costs 12.99, 1,299.00 or 1.234.567,89 EUR",
        "1 000 000 users and 250000 events",
        "Python 3.11.4, version 10.0.19045.3570, v1.2.3.4",
        "at 12:30:45, ratio 16:9, std::vector, infinity ::",
        "a point at 0.38 0.46",
        "I forgot my password: how do I reset it?",
        "the token is invalid, the API key is missing",
        "compass: n0rth-east, keyboard: qwerty-1, monkey = banana_1",
        "total_tokens = 123456, tokenizer: bpe_2024, primary_key: order_id_1",
        "@mention of #hashtag, 50% off",
        "a state-of-the-art-2024-benchmark of my_long_function_name_v2",
        "https://example.com/shoes?color=red&size=42",
        "internationalization of Donaudampfschifffahrtsgesellschaft",
        "order number 4111-1111 and room 12-34",
        "我的订单 12345 在哪里",
    ],
)
def test_other_words_and_numbers_stay(text: str) -> None:
    assert scrub_for_llm(text) == text


def test_scrubbing_is_idempotent() -> None:
    once = scrub_for_llm("jo@example.com, +41 79 123 45 67, password=hunter2, 4111111111111111")
    assert once == "<EMAIL>, <PHONE>, password=<KEY>, <CARD>"
    assert scrub_for_llm(once) == once


@pytest.mark.slow
def test_long_texts_are_scrubbed_in_linear_time() -> None:
    """Processor time, which other programs do not lengthen: linear 0.2 seconds a text, quadratic some minutes."""
    size, count = 50_000, 5_000
    for part in (
        "a_",
        "secret",
        "password",
        "api_key =",
        "token: ",
        "my-secret-key",
        "_",
        "AccountKey=x1",
        "sk-",
        "call me ",
        "0 ",
    ):
        started = time.process_time()
        scrub_for_llm(part * (size // len(part)))
        scrub_for_llm(part * (size // 2 // len(part)) + " " * (size // 2))
        assert time.process_time() - started < 20
    parts = [
        "1 " * count,
        "a" * count,
        ":" * count,
        "a." * count,
        "?" + "_" * count,
        "-----BEGIN " * count,
        "@a" * count,
        "password:" * count,
    ]
    started = time.process_time()
    assert scrub_for_llm("".join(parts)).startswith("<NUMBER>")
    assert time.process_time() - started < 20
