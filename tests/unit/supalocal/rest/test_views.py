"""Reading the rules of views."""

from supalocal.rest.schema import Name
from supalocal.rest.views import Relation, shown_columns, views

RULE = (
    "({QUERY :commandType 1 :cteList <> :targetList ("
    "{TARGETENTRY :expr {VAR :varno 1 :resorigtbl 99 :resno 7} :resno 1 :resname id :resorigtbl 500 :resorigcol 1} "
    r"{TARGETENTRY :expr {CONST :constvalue 4 [ 1 ]} :resno 2 :resname a\ b\{ :resorigtbl 0 :resorigcol 0} "
    "{TARGETENTRY :expr {VAR :varno 1} :resno 3 :resname t :resorigtbl 500 :resorigcol 4}) "
    ":returningList ({TARGETENTRY :resno 9 :resorigtbl 500 :resorigcol 2})})"
)


def test_only_columns_shown_as_they_are():
    """Computed columns, nested nodes and other lists of the rule do not count."""
    assert dict(shown_columns(RULE)) == {"1": ("500", "1"), "3": ("500", "4")}


def test_a_view_of_a_view_leads_to_the_table():
    """Columns are followed through views down to the table."""
    outer = "({QUERY :targetList ({TARGETENTRY :resno 1 :resorigtbl 600 :resorigcol 3})})"
    table, inner, view = Name("public", "t"), Name("public", "v"), Name("public", "w")
    relations = [
        Relation("500", table, {"1": "id", "4": "title"}),
        Relation("600", inner, {"1": "id", "2": "n", "3": "t"}),
        Relation("700", view, {"1": "name"}),
    ]
    found = {shown.name: shown.origins for shown in views([("600", inner, RULE), ("700", view, outer)], relations)}
    assert found[view] == {"name": (table, "title")}
