Infinity.main()
