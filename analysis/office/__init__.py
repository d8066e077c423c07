"""Reports as files of office programs: slides for the talk, the tables as a workbook. Made of the objects of reports/ alone."""
