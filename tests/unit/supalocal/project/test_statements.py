"""A script is split where psql would split it."""

import pytest

from supalocal.project.statements import split


def texts(script):
    return [statement.text for statement in split(script)]


@pytest.mark.parametrize(
    "whole",
    [
        "select 'a;b', 'it''s;'",
        r"select E'it\'s;'",
        'select 1 as "a;""b"',
        "select $$;$$, $tag$ ; $$ ; $tag$",
        "select 1 -- a;b\n + 1",
        "select /* ; /* ; */ ; */ 1",
        "create rule r as on insert to t do also (select 1; select ')'; select 2)",
        "create function f(a int) returns int begin atomic select case when a > 1 then 1 end; select 2; end",
        "create or replace procedure p() begin atomic insert into t values (1); end",
        "create function f() returns int language plpgsql as $$ begin return 1; end; $$",
        "select a$b$c from t",
        "create table begin_end (begin_at int, case_id int)",
    ],
)
def test_a_semicolon_inside_does_not_split(whole):
    """Strings, quoted names, dollar quotes, comments and atomic bodies keep their semicolons."""
    assert texts(f"{whole};\nselect 2;") == [whole, "select 2"]


def test_begin_outside_a_routine_is_a_statement():
    """A script's own transaction is three statements, not one block."""
    assert texts("begin; select case when true then 1 end; commit;") == [
        "begin",
        "select case when true then 1 end",
        "commit",
    ]


def test_empty_statements_are_left_out():
    """Semicolons and blanks alone make no statement."""
    assert texts(" ;; \n ; ") == []


def test_comments_stay_with_the_statement_they_precede():
    """A leading comment belongs to the text, a trailing one is a statement of its own, as the Supabase CLI has it."""
    assert texts("-- why\nselect 1;\n-- the end\n") == ["-- why\nselect 1", "-- the end"]


@pytest.mark.parametrize(
    "unfinished", ["select 'a; b", 'select "a; b', "select $$a; b", "select /* a; b", "select (1; 2"]
)
def test_what_is_left_open_reaches_to_the_end(unfinished):
    """An unclosed quote swallows the rest, which Postgres then refuses with its own words."""
    assert texts(unfinished) == [unfinished]


def test_lines_are_those_of_the_script():
    """A position in the second statement is told as a line of the file."""
    script = "select 1;\n\n-- why\nselect\n  nothing"
    second = split(script)[1]
    assert (second.line, second.line_at(None), second.line_at(second.text.index("nothing") + 1)) == (3, 4, 5)


def test_parentheses_in_parentheses_do_not_count():
    """As in the Supabase CLI, which a rule of two statements with a call in the first confuses."""
    assert texts("select (f(1); 2)") == ["select (f(1)", "2)"]


@pytest.mark.parametrize("text", ["begin", "BEGIN -- so", "-- why\nBegin", "/* a */ begin\t"])
def test_words_tell_a_statement_in_any_spelling(text):
    """Without comments, case and line breaks."""
    assert split(text)[0].words == "begin"
