"""Charts and sentences that the dashboard and the brief share.

The functions are pure: a frame in, a plain Plotly figure or text out.
"""
