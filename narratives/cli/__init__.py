"""The command line: its parser, what each command runs, and what it prints."""
