"""Labels, keywords and examples of topics."""

import numpy as np
import pytest

from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.labels.examples import pick_examples
from turret_pipeline.topics.labels.labels import label_topics
from turret_pipeline_tests.topics.blobs import blobs

REFUND = ["I want a refund", "refund please", "how do I get a refund?", "Refund for the shoes"]
PASSWORD = ["reset password", "I forgot my password, reset it", "password reset does not work", "my password"]
TEXTS = [*REFUND, *PASSWORD]
TOPICS = np.repeat([0, 1], 4)


def test_a_label_has_the_words_that_distinguish_the_topic() -> None:
    refund, password = label_topics(TEXTS, TOPICS, 2)
    assert refund.keywords[0] == "refund"
    assert refund.label.startswith("Refund")
    assert any("password" in keyword for keyword in password.keywords[:2])
    assert "password" in password.label.lower()


def test_words_of_all_topics_are_weaker_than_words_of_one() -> None:
    texts = ["order refund", "order refund", "order parcel", "order parcel"]
    refund, parcel = label_topics([f"{text} {word}" for text, word in zip(texts, "abcd", strict=True)], TOPICS[2:6], 2)
    assert "refund" in refund.keywords[0]
    assert "parcel" in parcel.keywords[0]


def test_keywords_have_no_stop_words_chatter_or_numbers() -> None:
    [name] = label_topics(["hello can you please help with 12 invoices", "thanks, the invoices 7"], np.zeros(2, int), 1)
    words = {word for keyword in name.keywords for word in keyword.split()}
    assert words.isdisjoint({"hello", "please", "thanks", "12", "7"})
    assert name.label.startswith("Invoices")


def test_texts_without_a_topic_do_not_count() -> None:
    texts = [*TEXTS, "refund zebra", "zebra", "zebra"]
    with_noise = label_topics(texts, np.concatenate([TOPICS, [-1, -1, -1]]), 2)
    assert with_noise == label_topics(TEXTS, TOPICS, 2)


def test_labels_do_not_depend_on_the_order_of_the_texts() -> None:
    order = np.random.default_rng(3).permutation(len(TEXTS))
    assert label_topics([TEXTS[at] for at in order], TOPICS[order], 2) == label_topics(TEXTS, TOPICS, 2)


@pytest.mark.parametrize("text", ["refund", "12 34", "the and of"])
def test_labels_are_unique_even_if_topics_have_the_same_texts(text: str) -> None:
    names = label_topics([text] * 8, np.repeat([0, 1, 2, 3], 2), 4)
    assert len({name.label for name in names}) == 4
    assert all(name.label for name in names)


def test_topics_without_words_are_unnamed() -> None:
    names = label_topics(["12", "34", "??", "!!"], np.array([0, 0, 1, 1]), 2)
    assert [(name.label, name.keywords) for name in names] == [("Unnamed", []), ("Unnamed 2", [])]


def test_there_are_at_most_ten_keywords_and_none_repeats_another() -> None:
    words = "apple bear cedar delta eagle fjord grape house igloo jelly kayak lemon".split()
    [name] = label_topics(words, np.zeros(12, int), 1)
    assert len(name.keywords) == len(set(name.keywords)) == 10
    [other] = label_topics(["refund", "refunds", "refunding", "refunded"], np.zeros(4, int), 1)
    assert len(other.keywords) == 1


def test_no_topics_have_no_labels() -> None:
    assert label_topics([], np.array([], dtype=int), 0) == []
    assert label_topics(["a", "b"], np.array([-1, -1]), 0) == []


def labels(*topics: list[str]) -> list[str]:
    texts = [text for topic in topics for text in topic]
    numbers = np.repeat(np.arange(len(topics)), [len(topic) for topic in topics])
    return [name.label for name in label_topics(texts, numbers, len(topics))]


def test_a_label_is_a_phrase_as_people_write_it() -> None:
    lost = ["my card is lost or stolen", "Report a lost or stolen card", "lost or stolen card!", "is the card stolen?"]
    pin = ["How do I change my PIN", "change the PIN please", "I want to change a PIN", "can I change PIN?"]
    assert labels(lost, pin) == ["Lost or stolen card", "Change PIN"]


def test_a_label_keeps_a_negation() -> None:
    late = ["my card has not arrived", "The card hasn't arrived", "card did not arrive", "the card has not arrived"]
    assert labels(late, REFUND) == ["Card not arrived", "Refund"]


@pytest.mark.parametrize(
    ("word", "label"), [("iOS", "iOS update"), ("SQL", "SQL update"), ("Tuesday", "Tuesday update")]
)
def test_words_have_the_capitals_of_most_texts(word: str, label: str) -> None:
    texts = [f"the {word} update", f"what is a {word} update", f"need the {word} update", f"{word.lower()} update"]
    assert labels(texts, REFUND)[0] == label


def test_the_most_frequent_form_of_a_word_is_used_once() -> None:
    texts = ["activate cards", "card activating, activate the card", "activate my card", "activating a card"]
    assert labels(texts, REFUND)[0] == "Activate card"


def test_placeholders_and_addresses_are_left_out_of_labels() -> None:
    texts = ["late order {{Order Number}}", "late order <EMAIL_1>", "[NAME] late order", "late order https://a.b/order"]
    [name] = label_topics(texts, np.zeros(4, int), 1)
    assert (name.label, name.keywords) == ("Late order", ["late order"])


def test_a_broad_topic_has_two_phrases() -> None:
    texts = ["the roses", "my roses", "tulips for the garden", "the tulips", "what is grass", "ivy", "moss", "a fern"]
    assert labels(texts, REFUND)[0] == "Roses and tulips"


def test_topics_of_conversational_words_are_labelled_with_them() -> None:
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
    first, _ = label_topics([*texts, *REFUND], TOPICS, 2)
    assert first.label == label
    assert [keyword for keyword in first.keywords if sum(keyword in text for text in texts) < 2] == []


def test_characters_that_are_not_repeated_are_a_label_only_if_there_is_nothing_else() -> None:
    assert labels(["退款失败"], REFUND) == ["退款失败", "Refund"]


def test_phrases_in_another_language_are_not_joined_with_english() -> None:
    texts = ["розы", "розы тут", "тюльпаны", "тюльпаны тут", "трава", "плющ", "мох", "папоротник"]
    assert labels(texts) == ["Розы / тюльпаны"]


def test_equivalent_labels_are_not_used_twice() -> None:
    topics = np.repeat([0, 1], 4)
    texts = [*REFUND, "coats", "refunds", "the refunds", "coats, refunds"]
    first, second = label_topics(texts, topics, 2, known={0: "Refund"})
    assert (first.label, second.label) == ("Refund", "Coats")
    numbered = label_topics(REFUND[:2], np.array([0, 0]), 1, taken=["Refund"])
    assert numbered[0].label == "Refund 2"


def test_a_topic_keeps_its_label() -> None:
    names = label_topics(TEXTS, TOPICS, 2, {0: "A", 1: "B"}, (), blobs([4, 4]))
    assert [name.label for name in names] == ["A", "B"]


@pytest.mark.parametrize("wanted", ["zebra", "kettle"])
def test_of_equally_frequent_phrases_the_nearest_in_meaning_is_the_label(wanted: str) -> None:
    both, one, none = [0.8, 0.6, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
    texts = ["zebra, kettle", "zebra", "kettle", "lamp", "lamps"]
    vectors = [both, *([one, none] if wanted == "zebra" else [none, one]), [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    names = label_topics(texts, np.array([0, 0, 0, 1, 1]), 2, vectors=np.array(vectors, np.float32))
    assert names[0].label.startswith(wanted.capitalize())


def test_a_theme_has_a_shorter_label_than_a_topic() -> None:
    texts = ["transfer money abroad", "transfer money", "transfer to bank", "transfer today"]
    others = [*REFUND, *REFUND, "refund", "refund the transfer"]
    both = np.repeat([0, 1], [4, 10])
    assert label_topics([*texts, *others], both, 2)[0].label == "Transfer money"
    assert label_topics([*texts, *others], both, 2, themes=True)[0].label == "Transfer"


def test_only_the_first_words_of_long_texts_count() -> None:
    texts = [f"invoice {'word ' * 60} zebra {number}" for number in range(4)]
    assert "zebra" not in label_topics(texts, np.zeros(4, int), 1)[0].keywords


def test_examples_are_different_from_each_other() -> None:
    vectors = normalize_rows(
        np.array([[1, 0.1, 0], [1, 0.1, 0.01], [1, 0.1, 0.02], [1, -0.3, 0], [1, 0, 0.3], [1, 0, -0.3]])
    )
    texts = ["same", "same again", "same once more", "left", "up", "down"]
    [shown] = pick_examples(texts, vectors, np.zeros(6, int), 1)
    assert {"left", "up", "down"} < set(shown)


def test_examples_are_the_texts_nearest_to_the_centroid() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.8, -0.6], [0, 1], [-0.28, 0.96], [1, 0]], dtype=np.float32)
    topic = np.array([0, 0, 0, 1, 1, -1])
    texts = ["centre", "left", "right", "one", "two", "none"]
    first, second = pick_examples(texts, vectors, topic, 2)
    assert (first[0], sorted(first)) == ("centre", ["centre", "left", "right"])
    assert second == ["one", "two"]


def test_a_text_in_several_spellings_is_one_example() -> None:
    vectors = np.repeat(blobs([1, 1]), [30, 2], axis=0)
    vectors[31:] = vectors[:1] + vectors[31:] / 2  # a case-sensitive model: REFUND is only near refund
    texts = [*(f"refund{' !'[: at % 3]}{'.' * at}" for at in range(30)), "parcel", "PARCEL"]
    [shown] = pick_examples(texts, normalize_rows(vectors), np.zeros(32, int), 1)
    assert len(shown) == 2
    assert sorted(text.casefold()[:6] for text in shown) == ["parcel", "refund"]


def test_there_are_at_most_five_examples() -> None:
    vectors = blobs([9, 3])
    found = pick_examples([str(at) for at in range(12)], vectors, np.repeat([0, 1], [9, 3]), 2)
    assert [len(shown) for shown in found] == [5, 3]
    assert pick_examples([], vectors[:0], np.array([], dtype=int), 0) == []


BILL = ["pay the bill", "the bill is late", "my bill", "a bill", "bills"]


def test_a_single_word_that_is_never_after_an_article_is_weaker_than_a_noun() -> None:
    texts = ["inches, a ruler?", "the ruler: inches", "inches", "my ruler, inches", "inches, inches"]
    assert [name.label for name in label_topics([*texts, *BILL], np.repeat([0, 1], 5), 2)] == ["Ruler", "Bill"]
    without_articles = [text.replace("a ruler", "ruler").replace("the ", "").replace("my ", "") for text in texts]
    assert label_topics([*without_articles, *BILL], np.repeat([0, 1], 5), 2)[0].label == "Inches"


def test_a_longer_phrase_replaces_a_single_word_if_most_texts_have_it() -> None:
    alarms = [*["set an alarm"] * 4, *["the alarm"] * 3]
    topic = np.repeat([0, 1], [7, 5])
    assert [name.label for name in label_topics([*alarms, *BILL], topic, 2)] == ["Set alarm", "Bill"]
    assert [name.label for name in label_topics([*alarms, *BILL], topic, 2, themes=True)] == ["Alarm", "Bill"]
