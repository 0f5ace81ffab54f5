"""The Django project: stages of the walk, and the surfaces above them."""
