"""What composes the layers: builds, evaluation, spot checks, search, previews and the brief."""
