"""The Streamlit dashboard: its frame, its pages, and the builds it starts."""
