"""What takes longer than a notebook may: one script a chapter, and its tables in results/."""
