from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.mail.html import TAG_CHARS_MAX, TAGS_MAX, text_of
from tests.processors.mail.hostile import LIMIT_S, pages


def test_blocks_are_lines_and_paragraphs_stand_apart() -> None:
    assert text_of("<div>a</div><div>b<br>c</div><p>d</p><p>e  f</p>") == "a\nb\nc\n\nd\n\ne f"


def test_lists_tables_and_code_keep_their_form() -> None:
    assert text_of("<ul><li>a<li>b</ul>") == "- a\n- b"
    assert text_of("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>") == "a b\nc"
    assert text_of("<pre>def f():\n    return 1</pre>") == "def f():\n    return 1"


def test_quotes_get_their_marks() -> None:
    html = "On Mon, A wrote:<blockquote><p>b</p><blockquote>c</blockquote></blockquote>"

    assert text_of(html).split("\n") == ["On Mon, A wrote:", "", "> b", ">", ">> c"]


def test_a_link_says_where_it_leads_unless_its_text_does() -> None:
    assert text_of('<a href="https://x.example/1">here</a>') == "here <https://x.example/1>"
    assert text_of('<a href="https://x.example/">https://x.example</a>') == "https://x.example"
    assert text_of('<a href="mailto:a@b.c">a@b.c</a>') == "a@b.c"
    assert text_of('<a href="javascript:alert(1)">here</a>') == "here"


@pytest.mark.parametrize(
    "hidden",
    [
        '<div style="display:none">no</div>',
        '<div style="DISPLAY : none !important">no</div>',
        '<span style="font-size:0">no</span>',
        '<span style="font-size:0px;color:red">no</span>',
        '<div style="max-height:0;overflow:hidden">no</div>',
        '<div style="opacity: 0">no</div>',
        '<div style="visibility:hidden"><p>no</p></div>',
        '<div style="mso-hide:all">no</div>',
        "<div hidden>no</div>",
        "<!-- no -->",
        "<script>no</script>",
        "<style>no</style>",
        "<title>no</title>",
        "<template>no</template>",
        f'<div data-x="{"x" * TAG_CHARS_MAX}" style="display:none">no</div>',
    ],
)
def test_what_no_reader_sees_is_not_read(hidden: str) -> None:
    assert text_of(f"<p>a</p>{hidden}<p>b</p>") == "a\n\nb"


@pytest.mark.parametrize("style", ["font-size:10px", "line-height:0", "opacity:0.5", "margin:0"])
def test_what_readers_see_is_read(style: str) -> None:
    assert text_of(f'<p style="{style}">a</p>') == "a"


def test_text_hidden_behind_too_many_tags_does_not_come_out() -> None:
    html = "<b></b>" * TAGS_MAX + '<div style="display:none">no</div>'

    assert "no" not in text_of("yes" + html)


def test_entities_are_text() -> None:
    assert text_of("&lt;b&gt; &amp;&nbsp;x") == "<b> & x"


@given(html=st.text(alphabet="<>/abipre quot\"'=&;!-\n\0", max_size=300))
def test_no_page_raises(html: str) -> None:
    text_of(html)


@pytest.mark.parametrize("name", pages())
def test_a_megabyte_of_trouble_takes_a_second_at_most(name: str) -> None:
    page = pages()[name]
    started = time.process_time()
    text_of(page)

    assert time.process_time() - started < LIMIT_S
