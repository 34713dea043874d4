"""What every engine that writes text needs: reasoning kept apart from the answer, and replies on their way."""
