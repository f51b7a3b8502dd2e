"""Components that several pages share: chart panels, tables, controls, and the document drawer."""
