<?php
/** STAND-IN for roots/wp-config: as the real one it refuses a constant that something else defined. */

namespace Roots\WPConfig;

class Config {
	private static $known = array();

	public static function define( string $name, $value ): void {
		if ( defined( $name ) ) {
			throw new \RuntimeException( "Aborted trying to redefine constant '$name'. `define('$name', ...)` has already been occurred elsewhere." );
		}
		self::$known[ $name ] = $value;
	}

	public static function get( string $name ) {
		return self::$known[ $name ];
	}

	public static function apply(): void {
		foreach ( self::$known as $name => $value ) {
			define( $name, $value );
		}
	}
}
