"""Texts of topics in; what the topics are called out."""

import numpy as np
import pytest

from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.labels.labels import examples, name_topics
from turret_pipeline_tests.topics.blobs import blobs

REFUND = ["I want a refund", "refund please", "how do I get a refund?", "Refund for the shoes"]
PASSWORD = ["reset password", "I forgot my password, reset it", "password reset does not work", "my password"]
TEXTS = [*REFUND, *PASSWORD]
TOPICS = np.repeat([0, 1], 4)


def test_a_topic_is_called_by_the_words_that_set_it_apart() -> None:
    refund, password = name_topics(TEXTS, TOPICS, 2)
    assert refund.keywords[0] == "refund"
    assert refund.label.startswith("Refund")
    assert any("password" in keyword for keyword in password.keywords[:2])
    assert "password" in password.label.lower()


def test_words_that_all_topics_share_are_weaker_than_those_of_one() -> None:
    texts = ["order refund", "order refund", "order parcel", "order parcel"]
    refund, parcel = name_topics([f"{text} {word}" for text, word in zip(texts, "abcd", strict=True)], TOPICS[2:6], 2)
    assert "refund" in refund.keywords[0]
    assert "parcel" in parcel.keywords[0]


def test_stop_words_chatter_and_numbers_are_no_keywords() -> None:
    [name] = name_topics(["hello can you please help with 12 invoices", "thanks, the invoices 7"], np.zeros(2, int), 1)
    words = {word for keyword in name.keywords for word in keyword.split()}
    assert words.isdisjoint({"hello", "please", "thanks", "12", "7"})
    assert name.label.startswith("Invoices")


def test_texts_without_a_topic_do_not_count() -> None:
    texts = [*TEXTS, "refund zebra", "zebra", "zebra"]
    with_noise = name_topics(texts, np.concatenate([TOPICS, [-1, -1, -1]]), 2)
    assert with_noise == name_topics(TEXTS, TOPICS, 2)


def test_names_do_not_depend_on_the_order_of_the_texts() -> None:
    order = np.random.default_rng(3).permutation(len(TEXTS))
    assert name_topics([TEXTS[at] for at in order], TOPICS[order], 2) == name_topics(TEXTS, TOPICS, 2)


@pytest.mark.parametrize("text", ["refund", "12 34", "the and of"])
def test_labels_are_unique_even_where_topics_say_the_same(text: str) -> None:
    names = name_topics([text] * 8, np.repeat([0, 1, 2, 3], 2), 4)
    assert len({name.label for name in names}) == 4
    assert all(name.label for name in names)


def test_topics_without_words_are_unnamed() -> None:
    names = name_topics(["12", "34", "??", "!!"], np.array([0, 0, 1, 1]), 2)
    assert [(name.label, name.keywords) for name in names] == [("Unnamed", []), ("Unnamed 2", [])]


def test_there_are_at_most_ten_keywords_and_none_repeats_another() -> None:
    words = "apple bear cedar delta eagle fjord grape house igloo jelly kayak lemon".split()
    [name] = name_topics(words, np.zeros(12, int), 1)
    assert len(name.keywords) == len(set(name.keywords)) == 10
    [other] = name_topics(["refund", "refunds", "refunding", "refunded"], np.zeros(4, int), 1)
    assert len(other.keywords) == 1


def test_no_topic_has_no_name() -> None:
    assert name_topics([], np.array([], dtype=int), 0) == []
    assert name_topics(["a", "b"], np.array([-1, -1]), 0) == []


def labels(*topics: list[str]) -> list[str]:
    texts = [text for topic in topics for text in topic]
    numbers = np.repeat(np.arange(len(topics)), [len(topic) for topic in topics])
    return [name.label for name in name_topics(texts, numbers, len(topics))]


def test_a_label_is_a_phrase_as_people_write_it() -> None:
    lost = ["my card is lost or stolen", "Report a lost or stolen card", "lost or stolen card!", "is the card stolen?"]
    pin = ["How do I change my PIN", "change the PIN please", "I want to change a PIN", "can I change PIN?"]
    assert labels(lost, pin) == ["Lost or stolen card", "Change PIN"]


def test_a_label_says_what_does_not_happen() -> None:
    late = ["my card has not arrived", "The card hasn't arrived", "card did not arrive", "the card has not arrived"]
    assert labels(late, REFUND) == ["Card not arrived", "Refund"]


@pytest.mark.parametrize(
    ("word", "label"), [("iOS", "iOS update"), ("SQL", "SQL update"), ("Tuesday", "Tuesday update")]
)
def test_words_have_the_capitals_that_most_texts_give_them(word: str, label: str) -> None:
    texts = [f"the {word} update", f"what is a {word} update", f"need the {word} update", f"{word.lower()} update"]
    assert labels(texts, REFUND)[0] == label


def test_the_usual_form_of_a_word_is_taken_and_none_comes_twice() -> None:
    texts = ["activate cards", "card activating, activate the card", "activate my card", "activating a card"]
    assert labels(texts, REFUND)[0] == "Activate card"


def test_placeholders_and_addresses_are_no_part_of_a_label() -> None:
    texts = ["late order {{Order Number}}", "late order <EMAIL_1>", "[NAME] late order", "late order https://a.b/order"]
    [name] = name_topics(texts, np.zeros(4, int), 1)
    assert (name.label, name.keywords) == ("Late order", ["late order"])


def test_a_broad_topic_takes_two_phrases() -> None:
    texts = ["the roses", "my roses", "tulips for the garden", "the tulips", "what is grass", "ivy", "moss", "a fern"]
    assert labels(texts, REFUND)[0] == "Roses and tulips"


def test_topics_of_mere_conversation_are_called_by_it() -> None:
    assert labels(["thanks", "ok thanks", "thanks a lot"], ["yes", "yes please", "yes do"]) == ["Thanks", "Yes"]


@pytest.mark.parametrize(
    ("texts", "label"),
    [
        (["我想退款", "请问怎么退款", "申请退款", "退款失败"], "退款"),
        (["パスワードを忘れました", "パスワードの変更", "新しいパスワード"], "パスワード"),
        (["मेरा पासवर्ड भूल गया", "पासवर्ड रीसेट", "पासवर्ड बदलना है"], "पासवर्ड"),
        (["забыл пароль", "пароль неверный", "Пароль"], "Пароль"),
        (["Rückerstattung", "eine Rückerstattung", "Rückerstattung bitte"], "Rückerstattung"),
    ],
)
def test_languages_other_than_english_have_labels(texts: list[str], label: str) -> None:
    assert labels(texts, REFUND) == [label, "Refund"]


@pytest.mark.parametrize(
    ("texts", "label"),
    [
        (["信用卡账单什么时候出", "我的信用卡账单不对", "查询信用卡账单", "信用卡账单寄到哪里"], "信用卡账单"),
        (
            ["想开增值税专用发票", "增值税专用发票怎么开", "增值税专用发票抬头写错", "补开增值税专用发票"],
            "增值税专用发票",
        ),
        (["先月の請求書", "請求書が届かない", "新しい請求書を見たい", "請求書の再発行"], "請求書"),
        (["退货申请", "取消退货申请", "退货申请被拒", "提交退货申请失败"], "退货申请"),
    ],
)
def test_words_of_scripts_without_spaces_are_not_cut(texts: list[str], label: str) -> None:
    first, _ = name_topics([*texts, *REFUND], TOPICS, 2)
    assert first.label == label
    assert [keyword for keyword in first.keywords if sum(keyword in text for text in texts) < 2] == []


def test_characters_that_come_together_only_once_name_a_topic_where_there_is_nothing_else() -> None:
    assert labels(["退款失败"], REFUND) == ["退款失败", "Refund"]


def test_phrases_joined_in_another_language_have_no_english_between() -> None:
    texts = ["розы", "розы тут", "тюльпаны", "тюльпаны тут", "трава", "плющ", "мох", "папоротник"]
    assert labels(texts) == ["Розы / тюльпаны"]


def test_labels_that_say_the_same_are_not_given_twice() -> None:
    topics = np.repeat([0, 1], 4)
    texts = [*REFUND, "coats", "refunds", "the refunds", "coats, refunds"]
    first, second = name_topics(texts, topics, 2, kept={0: "Refund"})
    assert (first.label, second.label) == ("Refund", "Coats")
    gone = name_topics(REFUND[:2], np.array([0, 0]), 1, gone=["Refund"])
    assert gone[0].label == "Refund 2"


def test_a_topic_keeps_its_label() -> None:
    names = name_topics(TEXTS, TOPICS, 2, {0: "A", 1: "B"}, (), blobs([4, 4]))
    assert [name.label for name in names] == ["A", "B"]


@pytest.mark.parametrize("wanted", ["zebra", "kettle"])
def test_of_phrases_as_frequent_the_one_nearest_in_meaning_names_the_topic(wanted: str) -> None:
    both, one, none = [0.8, 0.6, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
    texts = ["zebra, kettle", "zebra", "kettle", "lamp", "lamps"]
    vectors = [both, *([one, none] if wanted == "zebra" else [none, one]), [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    names = name_topics(texts, np.array([0, 0, 0, 1, 1]), 2, vectors=np.array(vectors, np.float32))
    assert names[0].label.startswith(wanted.capitalize())


def test_a_theme_is_called_more_shortly_than_a_topic() -> None:
    texts = ["transfer money abroad", "transfer money", "transfer to bank", "transfer today"]
    others = [*REFUND, *REFUND, "refund", "refund the transfer"]
    both = np.repeat([0, 1], [4, 10])
    assert name_topics([*texts, *others], both, 2)[0].label == "Transfer money"
    assert name_topics([*texts, *others], both, 2, themes=True)[0].label == "Transfer"


def test_only_the_first_words_of_long_texts_count() -> None:
    texts = [f"invoice {'word ' * 60} zebra {number}" for number in range(4)]
    assert "zebra" not in name_topics(texts, np.zeros(4, int), 1)[0].keywords


def test_examples_are_unlike_each_other() -> None:
    vectors = normalize_rows(
        np.array([[1, 0.1, 0], [1, 0.1, 0.01], [1, 0.1, 0.02], [1, -0.3, 0], [1, 0, 0.3], [1, 0, -0.3]])
    )
    texts = ["same", "same again", "same once more", "left", "up", "down"]
    [shown] = examples(texts, vectors, np.zeros(6, int), 1)
    assert {"left", "up", "down"} < set(shown)


def test_examples_are_the_texts_nearest_to_the_centre() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.8, -0.6], [0, 1], [-0.28, 0.96], [1, 0]], dtype=np.float32)
    topic = np.array([0, 0, 0, 1, 1, -1])
    texts = ["centre", "left", "right", "one", "two", "none"]
    first, second = examples(texts, vectors, topic, 2)
    assert (first[0], sorted(first)) == ("centre", ["centre", "left", "right"])
    assert second == ["one", "two"]


def test_a_text_in_several_spellings_is_one_example() -> None:
    vectors = np.repeat(blobs([1, 1]), [30, 2], axis=0)
    vectors[31:] = vectors[:1] + vectors[31:] / 2  # a model that tells case: REFUND is near refund, and not the same
    texts = [*(f"refund{' !'[: at % 3]}{'.' * at}" for at in range(30)), "parcel", "PARCEL"]
    [shown] = examples(texts, normalize_rows(vectors), np.zeros(32, int), 1)
    assert len(shown) == 2
    assert sorted(text.casefold()[:6] for text in shown) == ["parcel", "refund"]


def test_there_are_at_most_five_examples() -> None:
    vectors = blobs([9, 3])
    found = examples([str(at) for at in range(12)], vectors, np.repeat([0, 1], [9, 3]), 2)
    assert [len(shown) for shown in found] == [5, 3]
    assert examples([], vectors[:0], np.array([], dtype=int), 0) == []


BILL = ["pay the bill", "the bill is late", "my bill", "a bill", "bills"]


def test_a_lone_word_that_comes_after_no_article_gives_way_to_a_noun() -> None:
    texts = ["inches, a ruler?", "the ruler: inches", "inches", "my ruler, inches", "inches, inches"]
    assert [name.label for name in name_topics([*texts, *BILL], np.repeat([0, 1], 5), 2)] == ["Ruler", "Bill"]
    without_articles = [text.replace("a ruler", "ruler").replace("the ", "").replace("my ", "") for text in texts]
    assert name_topics([*without_articles, *BILL], np.repeat([0, 1], 5), 2)[0].label == "Inches"


def test_a_lone_word_takes_the_word_beside_it_along_where_most_texts_have_both() -> None:
    alarms = [*["set an alarm"] * 4, *["the alarm"] * 3]
    topic = np.repeat([0, 1], [7, 5])
    assert [name.label for name in name_topics([*alarms, *BILL], topic, 2)] == ["Set alarm", "Bill"]
    assert [name.label for name in name_topics([*alarms, *BILL], topic, 2, themes=True)] == ["Alarm", "Bill"]
