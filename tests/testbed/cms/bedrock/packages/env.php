<?php
/** STAND-IN for oscarotero/env. */

namespace Env;

function env( string $name ) {
	$value = getenv( $name );
	$words = array( 'true' => true, 'false' => false, 'null' => null );
	return false === $value ? null : ( array_key_exists( strtolower( $value ), $words ) ? $words[ strtolower( $value ) ] : $value );
}
