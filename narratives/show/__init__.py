"""The room that shows: charts (pure), words, and the Streamlit glue that the pages stand on."""
