"""The index that answers: kept in step with the catalog, made anew beside the old one, put right at the start."""
