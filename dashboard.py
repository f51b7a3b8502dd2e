"""The entry point of the dashboard: page configuration, navigation, and the frame around each page.

Start it with `streamlit run dashboard.py`. Streamlit finds `app` in this file and serves it, which imports the file;
for each visit it then runs the file as a script.
"""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import server


def draw() -> None:
    """Draw the frame and the page of the address."""
    # Loaded at the first visit: their caches need a server that runs.
    from narratives.dashboard import roles, shell, waiting

    # The icon is drawn here, because Streamlit loads named icons from another server.
    st.set_page_config(page_title="Narrative tracker", page_icon=shell.PAGE_ICON, layout="wide")

    # The URL path differs from the file's name, under which Streamlit would run the page without this frame.
    pages = [
        st.Page("pages/prevalence_page.py", title="Prevalence", icon=":material/timeline:", default=True),
        st.Page("pages/narrative_page.py", title="Narrative", icon=":material/menu_book:", url_path="narrative"),
        st.Page("pages/topics_page.py", title="Topics", icon=":material/grid_view:", url_path="topics"),
        st.Page("pages/speakers_page.py", title="Speakers", icon=":material/groups:", url_path="speakers"),
        st.Page("pages/spread_page.py", title="Spread", icon=":material/share:", url_path="spread"),
        st.Page("pages/evidence_page.py", title="Evidence", icon=":material/article:", url_path="evidence"),
        st.Page("pages/map_page.py", title="Map", icon=":material/scatter_plot:", url_path="map"),
        st.Page("pages/sources_page.py", title="Sources", icon=":material/database:", url_path="sources"),
        st.Page("pages/method_page.py", title="Method", icon=":material/functions:", url_path="method"),
    ]
    user = roles.get_user()
    if user.may("reviewer"):
        review = st.Page("pages/review_page.py", title="Review", icon=":material/rate_review:", url_path="review")
        pages.insert(-2, review)
    if user.may("editor"):
        codebook = st.Page(
            "pages/codebook_page.py", title="Codebook", icon=":material/account_tree:", url_path="codebook"
        )
        pages.insert(-2, codebook)
    page = st.navigation({"Narrative tracker": pages})
    shell.reload_first_visit(page.url_path)
    shell.start_page()
    roles.draw_account()
    waiting.draw_waiting()
    page.run()
    shell.draw_footer()


if __name__ == "__main__":
    draw()
else:
    server.share_heaps()
    server.use_plain_strings()
    app = st.App(__file__, middleware=server.make_middleware())
