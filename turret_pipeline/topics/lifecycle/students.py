"""Texts whose vectors a student of an embedding model made."""

from dataclasses import replace

import polars as pl

from turret_pipeline.topics.embedding.model_names import name_student, name_teacher
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState


def with_students(state: TopicState, by_students: pl.DataFrame, run: Run) -> TopicState:
    """The state with a student's name as the model of the texts that it embedded, and with their share in this run.

    ``by_students`` has the columns text_id and embedding_model: the texts, and the model that the student learned from.
    Names of an earlier run are replaced, because a text may have got a vector by the model itself.
    """
    texts = state.text_topics
    named = texts["embedding_model"].drop_nulls().unique().sort().to_list()
    teachers = {name: name_teacher(name) for name in named}
    students = {teacher: name_student(teacher) for teacher in teachers.values()}
    teacher = pl.col("embedding_model").replace(teachers)
    flags = by_students.select("text_id", "embedding_model", pl.lit(value=True).alias("is_by_student"))
    joined = texts.with_columns(teacher).join(
        flags, on=["text_id", "embedding_model"], how="left", maintain_order="left"
    )
    is_by_student = pl.col("is_by_student").fill_null(value=False)
    student = pl.col("embedding_model").replace(students)
    made = joined.with_columns(
        pl.when(is_by_student).then(student).otherwise("embedding_model").alias("embedding_model")
    )
    shares = joined.group_by("field").agg(is_by_student.mean().round(6).alias("share"))
    share = pl.col("field").replace_strict(dict(shares.iter_rows()), default=None, return_dtype=pl.Float64)
    is_now = pl.col("run_id") == run.run_id
    of_run = pl.when(is_now).then(share).otherwise("student_share").alias("student_share")
    return replace(state, text_topics=made.select(texts.columns), topic_runs=state.topic_runs.with_columns(of_run))
